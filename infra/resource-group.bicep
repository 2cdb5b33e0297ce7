// The group that main.bicep fills. Deployed to the subscription, once, by whoever may create groups:
//   az deployment sub create --location westeurope --template-file infra/resource-group.bicep ...
targetScope = 'subscription'

@description('Required. Name of the resource group.')
@minLength(1)
@maxLength(90)
param name string

@description('Optional. Region of the group; personal data stays in the EU, so does everything in it.')
param location string = 'westeurope'

@description('Required. Name of the environment, such as dev or prod; azd looks for it.')
param environmentName string

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: name
  location: location
  tags: {
    'azd-env-name': environmentName
  }
}

@description('Name of the group.')
output AZURE_RESOURCE_GROUP string = group.name
