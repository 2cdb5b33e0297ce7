// The app on Flex Consumption: HTTP doors share instances, every queue and timer function scales on its own.

@description('Required. Name of the app.')
@minLength(2)
@maxLength(32)
param name string

@description('Required. Name of its plan; Flex Consumption takes one app each.')
param planName string

@description('Required. Region.')
param location string

@description('Optional. Tags.')
param tags object = {}

@description('Required. Resource id of its identity.')
param identityId string

@description('Required. Client id of its identity.')
param identityClientId string

@description('Required. Where the host keeps its blobs, and the deployed package.')
param hostBlobUri string

@description('Required. Where the queues are.')
param hostQueueUri string

@description('Required. Where the host keeps its tables.')
param hostTableUri string

@description('Required. Container that holds the deployed package.')
param deploymentContainer string

@description('Required. Where telemetry is sent to.')
param insightsConnection string

@description('Required. What the app reads from its environment: name to value.')
param settings object

@description('Required. Sites whose pages may call the doors.')
param corsOrigins array

@description('Optional. Version of Python; the one that the suite runs.')
@allowed(['3.11'])
param pythonVersion string = '3.11'

@description('Optional. Memory of an instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Optional. Most instances at a time.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Optional. Requests that one instance answers at a time; the doors wait more than they count.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 16

@description('Optional. Instances that are always there, such as {name: http, instanceCount: 1}.')
param alwaysReady array = []

@description('Optional. Subnet for outgoing traffic; empty: none.')
param integrationSubnetId string = ''

@description('Optional. Whether App Service signs staff in beside the app\'s own check of tokens.')
param useEasyAuth bool = false

@description('Required. App registration of the operations API; its tenant is this one.')
param staffClientId string

@description('Required. Tenant whose accounts are staff.')
param staffTenantId string

@description('Required. Where diagnostic logs go.')
param workspaceId string

var hostSettings = {
  AzureWebJobsStorage__blobServiceUri: hostBlobUri
  AzureWebJobsStorage__queueServiceUri: hostQueueUri
  AzureWebJobsStorage__tableServiceUri: hostTableUri
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnection
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  AzureWebJobsDisableHomepage: 'true'
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  // checkov:skip=CKV_AZURE_225: zones on Flex Consumption are a choice of region and price; state is in zone-redundant stores
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    tier: 'FlexConsumption'
    name: 'FC1'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  // checkov:skip=CKV_AZURE_222: the doors are for the public
  // checkov:skip=CKV_AZURE_17: people have browsers, not client certificates; other systems bring a key that code compares
  // checkov:skip=CKV_AZURE_212: Flex Consumption scales by demand; alwaysReady keeps instances where wanted
  // checkov:skip=CKV_AZURE_213: Flex Consumption has no health check of its own; an alarm reads app.healthy
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    publicNetworkAccess: 'Enabled'
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(integrationSubnetId) ? null : integrationSubnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      remoteDebuggingEnabled: false
      cors: {
        allowedOrigins: corsOrigins
        supportCredentials: false
      }
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostBlobUri}${deploymentContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: pythonVersion
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReady
        triggers: {
          http: {
            perInstanceConcurrency: httpConcurrency
          }
        }
      }
    }
  }
}

resource appSettings 'Microsoft.Web/sites/config@2024-04-01' = {
  // checkov:skip=CKV_AZURE_66: a failed request trace holds URLs
  // checkov:skip=CKV_AZURE_63: an HTTP log holds URLs, and those may hold tokens
  // checkov:skip=CKV_AZURE_222: this is a list of settings, not a site
  // checkov:skip=CKV_AZURE_80: there is no .NET in it
  // checkov:skip=CKV_AZURE_13: sign-in is its own resource below, and people have no account
  // checkov:skip=CKV_AZURE_88: nothing is kept in files
  // checkov:skip=CKV_AZURE_65: a detailed error page shows what a caller must not see
  parent: app
  name: 'appsettings'
  properties: union(hostSettings, settings)
}

// Anonymous callers pass: people have no account with us. The operations doors check tokens and roles in code.
resource signIn 'Microsoft.Web/sites/config@2024-04-01' = if (useEasyAuth) {
  // checkov:skip=CKV_AZURE_70: it is not read under a condition; httpsOnly stands on the site, requireHttps below
  // checkov:skip=CKV_AZURE_66: a failed request trace holds URLs
  // checkov:skip=CKV_AZURE_63: an HTTP log holds URLs, and those may hold tokens
  // checkov:skip=CKV_AZURE_222: this is a list of settings, not a site
  // checkov:skip=CKV_AZURE_80: there is no .NET in it
  // checkov:skip=CKV_AZURE_13: this is the sign-in
  // checkov:skip=CKV_AZURE_88: nothing is kept in files
  // checkov:skip=CKV_AZURE_65: a detailed error page shows what a caller must not see
  parent: app
  name: 'authsettingsV2'
  dependsOn: [appSettings]
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      requireAuthentication: false
      unauthenticatedClientAction: 'AllowAnonymous'
    }
    httpSettings: {
      requireHttps: true
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: staffClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${staffTenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [staffClientId, 'api://${staffClientId}']
        }
      }
    }
    login: {
      tokenStore: {
        enabled: false
      }
    }
  }
}

resource noFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource noPublishingPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

// Metrics only: the host's own log writes whole URLs. What the app logs comes through Application Insights,
// where it is masked.
resource metrics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: app
  properties: {
    workspaceId: workspaceId
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

@description('Name of the app.')
output name string = app.name

@description('Resource id of the app.')
output id string = app.id

@description('Where the app answers.')
output url string = 'https://${app.properties.defaultHostName}'
